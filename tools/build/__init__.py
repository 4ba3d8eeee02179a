"""What is made from one source: notebooks, exercises, pages, diagrams, slides, the site."""
