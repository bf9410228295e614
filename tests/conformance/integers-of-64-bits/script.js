[params.odd, params.most];
