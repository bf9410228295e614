[
    skill.csv.parse("a;b\n1;ž\n", True, ";"),
    skill.csv.stringify([["x", 1], ["y, z", None]]),
    skill.time.add("2024-01-31", "1 month"),
    skill.time.format("2024-03-10T09:30:00Z", "%A %d.%m.%Y %H:%M", "Europe/Prague"),
    skill.time.diff("2024-03-10", "2024-03-11", "hours"),
    skill.uuid.v5("dns", "example.com"),
    skill.units.evaluate("15% of 250")["text"],
    skill.random.int(5, 5),
]
