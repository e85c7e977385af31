def explained(s, most): return repr(s)
