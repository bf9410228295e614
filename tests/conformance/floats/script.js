params.all;
