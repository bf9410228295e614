({ "unit price": 1 / 0 });
