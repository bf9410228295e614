import helper
from parts.deep import NAME


def run(n):
    helper.calls.append(n)
    return [helper.twice(n), NAME, len(helper.calls)]
