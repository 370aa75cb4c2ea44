// One record per kind of tag.
CREATE CONSTRAINT IF NOT EXISTS FOR (n:TagKind) REQUIRE n.kind IS UNIQUE
