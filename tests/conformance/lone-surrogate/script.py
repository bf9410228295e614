["a\ud800b", "\ude00"]
