skill.log("a line");
skill.log({ n: 1 }, "warn");
skill.progress(0.5, "half");
skill.progress(null, "on");
"done";
