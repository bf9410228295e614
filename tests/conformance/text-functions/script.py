[
    skill.text.slug("Čau, světe 🦀!"),
    skill.text.truncate("👩‍🚀👩‍🚀👩‍🚀", 2),
    skill.text.width("日本"),
    skill.text.distance("kitten", "sitting"),
    skill.regex.find(r"(?<n>\d+)", "🦀🦀 42"),
    skill.regex.replace("a", "banana", "o"),
    skill.regex.split(", *", "a,b, c"),
]
