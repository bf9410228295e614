params.a + params.b;
