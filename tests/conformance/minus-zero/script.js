[params.x, 0 * -1];
