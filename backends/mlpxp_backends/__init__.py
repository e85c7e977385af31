"""The wall between mlpxp and the array libraries: one module a library, and nothing but them names one."""
