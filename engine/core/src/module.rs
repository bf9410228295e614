/// The path of a file that another file names: `./table.js` in `parts/all.js` is `parts/table.js`. Both are paths as
/// [`Host::module`](crate::Host::module) takes them, from the folder of the script; the script itself has the path `""`.
///
/// ```
/// use skills_core::beside;
/// assert_eq!(beside("", "./a.js"), "a.js");
/// assert_eq!(beside("parts/all.js", "../a.js"), "a.js");
/// assert_eq!(beside("a.js", "../lib/./b.js"), "../lib/b.js");
/// ```
pub fn beside(from: &str, name: &str) -> String {
    let folder = from.rfind('/').map_or("", |at| &from[..at]);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
