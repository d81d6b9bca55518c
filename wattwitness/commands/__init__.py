"""Commands of the `wattwitness` program that are not processes of their own."""
