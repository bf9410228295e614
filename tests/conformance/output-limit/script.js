for (;;) console.log("again and again");
