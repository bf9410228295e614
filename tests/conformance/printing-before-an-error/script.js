console.log("so far");
throw new Error("no further");
