"""What the skill is made of: reading (`reading`), tables (`table`), conditions, figures, drawing."""
