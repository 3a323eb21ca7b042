"""Training of the ranking: queries made from any source tree, features recorded through the socket, weights fitted."""
