"čau" + "x".repeat(999997);
