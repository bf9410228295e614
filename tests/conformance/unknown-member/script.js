params.missing;
