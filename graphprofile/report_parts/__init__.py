"""Parts of the HTML report: what is computed for its plots, the plots, and the page around them."""
