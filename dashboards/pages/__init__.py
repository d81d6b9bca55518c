"""The pages: one module each, with the documented context that its template may use."""
