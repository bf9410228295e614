{"a": [1, float("nan")]}
