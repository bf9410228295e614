use crate::support::{each_user, executable};
use std::process::Command;

#[test]
fn every_layer_is_probed_and_found_where_a_process_can_be_confined() {
    each_user(|user| {
        if user.is_root() {
            return;
        }
        let output = Command::new(executable()).arg("probe").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let layers: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let names: Vec<&str> = layers.iter().map(|layer| layer["layer"].as_str().unwrap()).collect();
        let expected = [
            "user_namespace",
            "mount_namespace",
            "pid_namespace",
            "ipc_namespace",
            "network_namespace",
            "root",
            "uid",
            "capabilities",
            "no_new_privs",
            "rlimits",
            "landlock",
            "seccomp",
            "descriptors",
            "environment",
        ];
        assert_eq!(names, expected);
        for layer in &layers {
            // Whoever runs this may be the machine's user 0, whose processes the kernel does not count.
            let expected = if layer["layer"] == "rlimits" && layer["status"] == "best_effort" {
                "best_effort"
            } else {
                "enforced"
            };
            assert_eq!(layer["status"], expected, "{layer}");
        }
    });
}
