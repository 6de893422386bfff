// Loads nodes.csv and relationships.csv from the import folder of a running Neo4j 5 or newer:
//   cypher-shell -f load.cypher
CREATE CONSTRAINT modelreach_id IF NOT EXISTS FOR (n:Modelreach) REQUIRE n.id IS UNIQUE;
LOAD CSV WITH HEADERS FROM 'file:///nodes.csv' AS row
WITH row WHERE row[':LABEL'] = 'Modelreach;Deployment'
MERGE (n:Modelreach {id: row['id:ID']})
SET n:Deployment, n.name = row.name, n.kind = row.kind, n.scope = row.scope,
    n.provider = row.provider, n.sensitive = row['sensitive:boolean'] = 'true',
    n.first = row['first:boolean'] = 'true', n.change = row.change;
LOAD CSV WITH HEADERS FROM 'file:///nodes.csv' AS row
WITH row WHERE row[':LABEL'] = 'Modelreach;Identity'
MERGE (n:Modelreach {id: row['id:ID']})
SET n:Identity, n.name = row.name, n.kind = row.kind, n.scope = row.scope,
    n.provider = row.provider, n.sensitive = row['sensitive:boolean'] = 'true',
    n.first = row['first:boolean'] = 'true', n.change = row.change;
LOAD CSV WITH HEADERS FROM 'file:///nodes.csv' AS row
WITH row WHERE row[':LABEL'] = 'Modelreach;Pattern'
MERGE (n:Modelreach {id: row['id:ID']})
SET n:Pattern, n.name = row.name, n.kind = row.kind, n.scope = row.scope,
    n.provider = row.provider, n.sensitive = row['sensitive:boolean'] = 'true',
    n.first = row['first:boolean'] = 'true', n.change = row.change;
LOAD CSV WITH HEADERS FROM 'file:///nodes.csv' AS row
WITH row WHERE row[':LABEL'] = 'Modelreach;Resource'
MERGE (n:Modelreach {id: row['id:ID']})
SET n:Resource, n.name = row.name, n.kind = row.kind, n.scope = row.scope,
    n.provider = row.provider, n.sensitive = row['sensitive:boolean'] = 'true',
    n.first = row['first:boolean'] = 'true', n.change = row.change;
LOAD CSV WITH HEADERS FROM 'file:///nodes.csv' AS row
WITH row WHERE row[':LABEL'] = 'Modelreach;Scope'
MERGE (n:Modelreach {id: row['id:ID']})
SET n:Scope, n.name = row.name, n.kind = row.kind, n.scope = row.scope,
    n.provider = row.provider, n.sensitive = row['sensitive:boolean'] = 'true',
    n.first = row['first:boolean'] = 'true', n.change = row.change;
LOAD CSV WITH HEADERS FROM 'file:///nodes.csv' AS row
WITH row WHERE row[':LABEL'] = 'Modelreach;Tool'
MERGE (n:Modelreach {id: row['id:ID']})
SET n:Tool, n.name = row.name, n.kind = row.kind, n.scope = row.scope,
    n.provider = row.provider, n.sensitive = row['sensitive:boolean'] = 'true',
    n.first = row['first:boolean'] = 'true', n.change = row.change;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'ACCESS'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:ACCESS {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'ADMINISTER'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:ADMINISTER {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'ASSUME_ROLE'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:ASSUME_ROLE {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'BECOMES'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:BECOMES {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'CREDENTIAL'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:CREDENTIAL {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'FEDERATE'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:FEDERATE {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'FEEDS'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:FEEDS {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'IMPERSONATE'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:IMPERSONATE {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'MEMBER_OF'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:MEMBER_OF {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'NODE'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:NODE {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'PASS_ROLE'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:PASS_ROLE {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'POLICY'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:POLICY {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'PROMPTS'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:PROMPTS {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'RUNS_AS'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:RUNS_AS {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'RUN_CODE'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:RUN_CODE {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'SELF_ESCALATION'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:SELF_ESCALATION {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'TOOL'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:TOOL {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'TRUST'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:TRUST {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'UPDATE_COMPUTE'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:UPDATE_COMPUTE {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = 'USES'
MATCH (a:Modelreach {id: row[':START_ID']}), (b:Modelreach {id: row[':END_ID']})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:USES {hop: row.hop, actions: actions, statement: statement}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;
