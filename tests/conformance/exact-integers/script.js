[params.most, params.least, params.most - 1];
