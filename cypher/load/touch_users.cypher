// Create the users an event names where they are missing, and raise the revision of all: the lock of the load. A revision begins with the time, so that who is removed and comes again never has an old one.
// Parameters:
//   user_ids (list of text): distinct, sorted so that concurrent loaders lock in one order
UNWIND $user_ids AS user_id
MERGE (u:User {id: user_id})
ON CREATE SET u.rev = timestamp(), u.tags_due = u.id, u.embed_due = u.id
ON MATCH SET u.rev = coalesce(u.rev, 0) + 1, u.tags_due = u.id, u.embed_due = u.id
