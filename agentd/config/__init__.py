"""Where agentd is told what to do: flags, environment, file and defaults. Nothing else reads the environment."""
