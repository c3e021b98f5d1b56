"""What the HTTP interface of every domain is made of: problems, principals, pages, field types, versions."""
