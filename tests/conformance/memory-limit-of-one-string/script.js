let text = "0123456789abcdef";
for (;;) text = (text + text).split("").join("");
