skill.fs.write("out.txt", "x");
