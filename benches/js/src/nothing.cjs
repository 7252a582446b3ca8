/** Nothing, in the place of what only Node needs. */
