package mockllm

// modelCard satisfies the clients of both vendors.
type modelCard struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int    `json:"created"`
	OwnedBy     string `json:"owned_by"`
	Type        string `json:"type"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
}

// fullModels is the named model, or the listing where none is named.
func fullModels(c *call) any {
	if name := c.request.Model; name != "" {
		return newModelCard(name)
	}
	return newModelList(c.server.models())
}

// newModelCard describes a model. There are models of all names.
func newModelCard(name string) modelCard {
	return modelCard{ID: name, Object: "model", Created: created, OwnedBy: "perfgate", Type: "model", DisplayName: name, CreatedAt: createdText}
}

type modelList struct {
	Object  string      `json:"object"`
	Data    []modelCard `json:"data"`
	HasMore bool        `json:"has_more"`
	FirstID string      `json:"first_id"`
	LastID  string      `json:"last_id"`
}

// newModelList lists models, of which there is at least one.
func newModelList(names []string) modelList {
	l := modelList{Object: "list", FirstID: names[0], LastID: names[len(names)-1]}
	for _, n := range names {
		l.Data = append(l.Data, newModelCard(n))
	}
	return l
}
