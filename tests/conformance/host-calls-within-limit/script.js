for (let i = 0; i < 10; i += 1) skill.state.set("n", i);
"all";
