"""Where ports meet adapters: settings, logging, wiring, and the programs that people start."""
