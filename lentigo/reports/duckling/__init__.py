"""Write the lesions of each patient by oddness, with figures in which the odd is framed."""
