return { evaluate, unsettled, operations, variables, get, set };
