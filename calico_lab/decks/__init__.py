"""The slides: three notebooks, each as one page for the browser that needs nothing else, and as PDF."""
