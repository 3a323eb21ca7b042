"""Questions answered: retrieve from several sources at once, rank, write, and bind every claim to what it rests on."""
