"""Search for better settings of a recipe (`lentigo tune`): the call is `search.tune`."""
