["a\ud800b", "\ude00", "\ud83d\ude00"];
