# about: texts that no encoding has are returned, printed and thrown
# in_process: script_error
# worker: script_error
# container: omitted: this version runs no scripts in containers

print("\ud800")
raise ValueError("\udfff")
