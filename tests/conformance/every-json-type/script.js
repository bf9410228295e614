params;
