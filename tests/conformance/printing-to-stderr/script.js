console.error("aside");
console.log("out");
1;
