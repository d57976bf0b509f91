"""Documents with their original text: looked at, changed, compared and put back."""
