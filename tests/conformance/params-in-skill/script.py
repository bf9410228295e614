def run(**_):
    return skill.params["deep"][1]["name"]
