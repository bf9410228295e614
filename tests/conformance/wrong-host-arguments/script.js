const text = "abc";
skill.text.truncate(text, "three");
