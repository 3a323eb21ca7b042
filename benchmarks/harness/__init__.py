"""What the benches share: a corpus, a daemon of their own, bare baselines, figures and how they are printed."""
