console.log("one");
console.log("two 🦀");
console.log("");
"result";
