"""What the textbook argues, computed: where an error signal dies, what is convex, and every number of one pass."""
