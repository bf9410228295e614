[undefined, { a: null }];
