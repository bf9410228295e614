while True:
    try:
        skill.state.get("a")
    except BaseException:
        pass
