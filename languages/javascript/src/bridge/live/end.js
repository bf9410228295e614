return { evaluate, unsettled, operations, variables, get, set, members, inspected, snapshot, made, restore };
