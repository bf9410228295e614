[skill.text.truncate(length=3, text="abcdef"), skill.text.truncate("abcdef", length=3, ending="")]
