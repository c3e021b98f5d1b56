"""The simulated exchange in the same process, behind trading's own port: no wire, the same exchange."""
